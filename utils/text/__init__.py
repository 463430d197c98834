"""Del texto a los ejemplos: normalizar, generar diálogos, rellenar plantillas."""
