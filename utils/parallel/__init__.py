"""El mismo entrenamiento, repartido entre procesos."""
