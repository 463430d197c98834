"""Los ejercicios: la cuenta que los corrige, las soluciones plegadas y, en `labs`, sus datos."""
