"""Versión publicada del curso: de dónde se clona, con qué etiqueta y dónde se lee.

Solo se dice aquí. Lo demás (celdas de preparación, insignias, README, cita y configuración) lo reescriben
`make version` y `make destino`. No consulta la red.
"""

REPO_URL = "https://github.com/llm-en-tres-semanas/llm-en-tres-semanas"
TAG = "v0.1.0"
SITE_URL = "https://llm-en-tres-semanas.github.io/llm-en-tres-semanas/"
