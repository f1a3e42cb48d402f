"""What the lessons that go further ask: a module each, named as the notebook."""
