"""What comes in and goes out: archives, exports."""
