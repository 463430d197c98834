"""Las comparaciones que ejecutan los labs y las tablas guardadas; no son piezas que se enseñen."""
