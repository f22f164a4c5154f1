"""tinylib.lab in a page: the parts that need neither numpy nor a running Jupyter."""

from tinylib.lab.explore import explore
from tinylib.lab.my_device import my_device
from tinylib.lab.quiz import quiz

__all__ = ["explore", "my_device", "quiz"]
