"""What is asked: a plan and its parts."""
