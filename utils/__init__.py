"""El código compartido del curso: habitaciones, en el orden en que fluyen los datos.

    course -> text -> corpus, model -> measure -> cost -> train -> tune
        -> parallel, align, compress, apps -> studies, exercises

Una habitación solo importa de las que tiene a su izquierda, y las cuatro ramas (de `parallel` a `apps`) no se importan
entre sí; una prueba lo comprueba.
"""
