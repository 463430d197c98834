"""Los modelos por dentro y cómo se genera texto con ellos."""
