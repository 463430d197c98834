"""Lo que se enseña del texto: tokenizadores, plantillas, filtros y búsqueda de copias."""
