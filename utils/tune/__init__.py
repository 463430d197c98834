"""Ajustar con pocos parámetros: LoRA, adaptadores y prompts."""
