"""The prompt connection: Jupyter's server takes it by name."""

from jupyter_server.serverapp import ServerApp

from tinylib.lab.prompt import PromptConnection


def test_the_server_takes_it_by_name():
    name = f"{PromptConnection.__module__}.{PromptConnection.__name__}"
    assert (
        ServerApp(kernel_websocket_connection_class=name).kernel_websocket_connection_class
        is PromptConnection
    )
