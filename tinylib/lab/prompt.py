"""A server connection that sends every message at once, so that a figure follows the slider.

Jupyter's server leaves Nagle's algorithm on: a message waits until the browser has acknowledged the one
before, which browsers put off for 40 ms (Linux) to 200 ms (Windows). Every answer of a kernel begins with
"busy", so a redrawn figure always came second. Started with

    jupyter lab --ServerApp.kernel_websocket_connection_class=tinylib.lab.prompt.PromptConnection

Source: Nagle, RFC 896; delayed acknowledgement, RFC 1122, section 4.2.3.2.
"""

from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The usual connection between browser and kernel, without the wait."""

    def connect(self) -> Any:
        """Open the channels to the kernel, as always."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
