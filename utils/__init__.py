"""El código compartido del curso: ocho habitaciones, en el orden en que fluyen los datos.

    course -> text -> model -> measure -> train -> align
                                             \\--> compress
                                             \\--> apps

Una habitación solo importa de las que tiene a su izquierda; una prueba lo comprueba.
"""
