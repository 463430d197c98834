"""Alinear un modelo con lo que se prefiere: preferencias, recompensa, PPO, DPO, GRPO y constitución."""
