"""Lists the operations of AWS services by the method names that the SDK for Rust would use.

Standard input: [SERVICE, ...]. Standard output: {SERVICE: {METHOD: OPERATION}}.
"""

import json
import sys

import botocore.session
from botocore import xform_name

session = botocore.session.get_session()
models = {service: session.get_service_model(service) for service in json.load(sys.stdin)}
json.dump({service: {xform_name(name): name for name in model.operation_names} for service, model in models.items()}, sys.stdout)
