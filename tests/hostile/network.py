"""The network: to this machine and to the world."""

from tests.hostile.work import attack

NET = "network"


@attack(NET)
def tcp(work):
    """TCP to a listener on this machine and to the world."""
    work.extra("""
        import socket

        for address in (("127.0.0.1", $PORT), ("localhost", $PORT), ("::1", $PORT), ("192.0.2.1", 80)):
            try:
                with socket.create_connection(address, 0.5) as connection:
                    connection.sendall(b"$MARK")
                    print("sent to", address)
            except OSError as error:
                print(error)
    """)


@attack(NET)
def udp(work):
    """UDP to a listener on this machine, and a broadcast."""
    work.extra("""
        import socket

        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                for address in (("127.0.0.1", $PORT), ("255.255.255.255", $PORT), ("192.0.2.1", 53)):
                    sender.sendto(b"$MARK", address)
        except OSError as error:
            print(error)
    """)


@attack(NET)
def unix_sockets(work):
    """A unix socket in the file system and one with an abstract name."""
    work.extra("""
        import socket

        for name in ("$SOCKET", "\\0$SOCKET", "/var/run/docker.sock", "/run/dbus/system_bus_socket"):
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sender:
                    sender.connect(name)
                    sender.sendall(b"$MARK")
                    print("sent to", name)
            except OSError as error:
                print(error)
    """)


@attack(NET)
def names_and_pages(work):
    """A name is looked up, a page fetched, a program asked to do the same, a port opened for others."""
    work.extra("""
        import os
        import socket
        import urllib.request

        for call in (
            lambda: socket.getaddrinfo("example.org", 80),
            lambda: urllib.request.urlopen("http://127.0.0.1:$PORT/$MARK", timeout=0.5).read(1),
            lambda: socket.create_server(("0.0.0.0", 0)),
            lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
            lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        ):
            try:
                print(call())
            except OSError as error:
                print(error)
        os.system("(echo $MARK > /dev/tcp/127.0.0.1/$PORT) 2>&1; curl -m 1 http://127.0.0.1:$PORT/$MARK 2>&1")
    """)
