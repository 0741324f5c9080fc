"""What other tools give on the same counts, so that an old figure can stand beside ours."""
