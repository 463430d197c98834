"""Los ejercicios, un módulo por lab (`lab_NN.py`) o capítulo (`cap_*.py`), cada uno con su `EXERCISES`.

    from utils.exercises.grading import Exercise

    FERTILITY = Exercise(
        "lab-01.3",
        "la fertilidad de un texto",
        "tokens de todo el texto entre palabras de todo el texto.",
        right=lambda tokens, words: sum(tokens) / sum(words),
        cases=[([12, 3, 9], [4, 3, 2]), ([5, 9], [2, 10])],
        mistakes=[
            (lambda tokens, words: sum(words) / sum(tokens), "es el cociente al revés, palabras por token."),
            (lambda tokens, words: sum(tokens), "has sumado los tokens y te falta dividir."),
        ],
        traps=[(([6], [3]), "acierta con varias frases y falla con una.")],
    )

    EXERCISES = {e.id: e for e in (FERTILITY,)}

Los campos están en `utils.exercises.grading.Exercise`. El id nombra el módulo: «lab-01.3» está en `lab_01.py`. Dos
casos o más, con todos los argumentos distintos: una prueba fabrica constantes y argumentos ignorados, y no deja que
pasen.
Un mensaje empieza en minúscula: sigue a «correcto:» o «aún no es correcto:».

Una respuesta que cambia lo que recibe no vale aunque acierte: en un cuaderno estropearía los datos de quien la llama.
"""
