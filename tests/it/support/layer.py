"""Publishes a file as a Lambda layer and prints the ARN of the layer version.

Usage: python layer.py NAME FILE
"""

import io
import sys
import zipfile

import boto3

name, file = sys.argv[1:]
package = io.BytesIO()
with zipfile.ZipFile(package, "w") as zipped:
    zipped.write(file)
client = boto3.client("lambda")
print(client.publish_layer_version(LayerName=name, Content={"ZipFile": package.getvalue()})["LayerVersionArn"])
