"""What a notebook shows: live figures, quiz boxes, questions with one's own numbers, one's own device."""

from tinylib.lab.explore import explore
from tinylib.lab.my_device import my_device
from tinylib.lab.question import question
from tinylib.lab.quiz import quiz

__all__ = ["explore", "my_device", "question", "quiz"]
