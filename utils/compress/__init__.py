"""Los formatos numéricos, bit a bit."""
