"""El transformer y sus piezas, la carga de pesos, la generación y la caché."""
