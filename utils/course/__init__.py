"""Lo que necesita cualquier lab antes de empezar: entorno, escala, modelos y datos, ejercicios, figuras."""
