"""Los datos que el curso genera, cada uno de una gramática y una semilla."""
