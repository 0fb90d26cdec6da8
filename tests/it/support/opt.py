"""Unpacks the layers of a function into the folder `opt`, as Lambda unpacks them into /opt.

Usage: python opt.py FUNCTION
"""

import io
import sys
import urllib.request
import zipfile

import boto3

client = boto3.client("lambda")
for layer in client.get_function_configuration(FunctionName=sys.argv[1])["Layers"]:
    version = client.get_layer_version_by_arn(Arn=layer["Arn"])
    with urllib.request.urlopen(version["Content"]["Location"]) as published:
        zipfile.ZipFile(io.BytesIO(published.read())).extractall("opt")
