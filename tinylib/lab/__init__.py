"""What a notebook shows: live figures, quiz boxes, questions with own numbers, own device and roofline."""

from tinylib.lab.explore import explore
from tinylib.lab.home import home, review
from tinylib.lab.measured import measured_roofline
from tinylib.lab.my_device import my_device
from tinylib.lab.question import question
from tinylib.lab.quiz import quiz

__all__ = ["explore", "home", "measured_roofline", "my_device", "question", "quiz", "review"]
