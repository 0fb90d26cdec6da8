"""moto on a free port of the loopback: prints the port, serves, and ends when its standard input does.

Where moto does less than EC2 and the tests depend on it, it is made to do as EC2 does (`as_ec2_does`). With
--says-what-it-revoked a revoke is answered with the rules that it revoked.
"""

import os
import sys
import threading

import as_ec2_does
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

as_ec2_does.patch()
if "--says-what-it-revoked" in sys.argv:
    as_ec2_does.say_what_was_revoked()
dispatch = DomainDispatcherApplication(create_backend_app)
one_at_a_time = threading.Lock()


def serve_alone(environ, start_response):
    """Tests run side by side; moto's dictionaries don't bear being changed while another thread walks over them."""
    with one_at_a_time:
        return list(dispatch(environ, start_response))


def end_with_stdin():
    sys.stdin.buffer.read()
    os._exit(0)


server = make_server("127.0.0.1", 0, serve_alone, threaded=True, request_handler=MotoRequestHandler)
threading.Thread(target=end_with_stdin, daemon=True).start()
print(server.server_port, flush=True)
server.serve_forever()
