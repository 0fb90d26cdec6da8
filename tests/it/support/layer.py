"""Publishes a file as a Lambda layer, and puts what the layer then has into the folder `opt`, as Lambda does into /opt.

Usage: python layer.py NAME FILE

Prints the ARN of the layer's version.
"""

import io
import sys
import urllib.request
import zipfile

import boto3

name, file = sys.argv[1:]
package = io.BytesIO()
with zipfile.ZipFile(package, "w") as zipped:
    zipped.write(file)
client = boto3.client("lambda")
arn = client.publish_layer_version(LayerName=name, Content={"ZipFile": package.getvalue()})["LayerVersionArn"]
with urllib.request.urlopen(client.get_layer_version_by_arn(Arn=arn)["Content"]["Location"]) as published:
    zipfile.ZipFile(io.BytesIO(published.read())).extractall("opt")
print(arn)
