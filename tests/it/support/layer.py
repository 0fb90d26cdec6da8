"""Publishes a file as a Lambda layer.

Usage: python layer.py NAME FILE

Prints the ARN of the layer's version.
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
