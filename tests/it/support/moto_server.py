"""Runs moto on a free port of the loopback interface. Prints the port, and exits when standard input ends.

`as_ec2_does` and `as_cloudtrail_does` patch moto where it does less than AWS and the tests depend on it. With
--says-what-it-revoked, the answer to a revoke lists the revoked rules.
"""

import functools
import os
import sys
import threading

import as_cloudtrail_does
import as_ec2_does
import moto.backends
import moto.core.responses
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

as_ec2_does.patch()
as_cloudtrail_does.patch()
if "--says-what-it-revoked" in sys.argv:
    as_ec2_does.say_what_was_revoked()
# moto reads its own folder and looks through its own classes at each request, which takes two thirds of the time.
folders = tuple(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: folders
moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)
dispatch = DomainDispatcherApplication(create_backend_app)
one_at_a_time = threading.Lock()


def serve_alone(environ, start_response):
    """Tests run in parallel, and moto iterates over dictionaries that another thread could change."""
    with one_at_a_time:
        return list(dispatch(environ, start_response))


def end_with_stdin():
    sys.stdin.buffer.read()
    os._exit(0)


server = make_server("127.0.0.1", 0, serve_alone, threaded=True, request_handler=MotoRequestHandler)
threading.Thread(target=end_with_stdin, daemon=True).start()
print(server.server_port, flush=True)
server.serve_forever()
