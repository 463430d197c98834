"""Lo que cuesta un modelo antes de tenerlo: memoria, operaciones, leyes de escala y dinero."""
