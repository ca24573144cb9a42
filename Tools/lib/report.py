"""Reports of measurements, with what was measured or said by hand at their end."""
from pathlib import Path

# What is by hand stands behind this line.
HAND = "<!-- By hand; kept when the tables above are made again. -->"


def write(path, text):
    """Writes a report anew, and keeps what is by hand in the one that is there."""
    path = Path(path)
    old = path.read_text() if path.exists() else ""
    by_hand = HAND + old.split(HAND, 1)[1] if HAND in old else ""
    path.write_text(f"{text.rstrip()}\n\n{by_hand}".rstrip() + "\n")
