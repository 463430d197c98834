"""Los ejercicios, un módulo por lab (`lab_NN.py`) o capítulo (`cap_*.py`), cada uno con su `EXERCISES`.

    from utils.course.checks import Exercise, Verdict

    def check_vocabulary(answer) -> Verdict:
        if answer == 256:
            return Verdict(False, "has contado bytes; el vocabulario incluye también las fusiones.")
        if answer != 4096:
            return Verdict(False, f"{answer} no es el tamaño del vocabulario.")
        return Verdict(True, "son las 256 bases y 3 840 fusiones.")

    EXERCISES = {
        e.id: e
        for e in [
            Exercise(
                "lab-04.1",
                "el tamaño del vocabulario",
                check_vocabulary,
                wrong=[(256, "bytes"), (0, "no es el tamaño")],
            ),
        ]
    }

`check` recibe la respuesta con sus funciones ya protegidas: si la del lector falla o está sin rellenar,
`comprobar` lo cuenta solo. Un mensaje empieza en minúscula: sigue a «correcto:» o «aún no es correcto:».
"""
