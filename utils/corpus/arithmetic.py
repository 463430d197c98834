"""Calcula lo que escribe un programa de cuentas sin ejecutarlo: lee su árbol y solo acepta sumas, restas y productos.

Lo que NO hace: no es un aislamiento para código cualquiera, porque no ejecuta código. No hay llamadas, ni bucles, ni
atributos: con ellos da error.
"""

import ast
import operator

OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
#: Un programa más largo o un número mayor no son de este juego, y costarían tiempo y memoria.
MAX_CHARACTERS, MAX_VALUE = 1000, 10**12


def evaluate(program: str) -> int:
    """El valor de la última línea de un programa: cada una es `nombre = cuenta` o solo una cuenta, con enteros.

    `ValueError` si no es un programa así, con cualquier otra cosa dentro, o si un número pasa de un billón.

    >>> evaluate("total = 34  # al principio\\ntotal = total + 27  # compra"), evaluate("7 + 9")
    (61, 16)
    """
    if len(program) > MAX_CHARACTERS:
        raise ValueError(f"El programa tiene {len(program)} caracteres: caben {MAX_CHARACTERS}.")
    names: dict[str, int] = {}

    def value(node: ast.AST) -> int:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            found = node.value
        elif isinstance(node, ast.Name) and node.id in names:
            found = names[node.id]
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            found = OPERATIONS[type(node.op)](value(node.left), value(node.right))
        else:
            raise ValueError(f"En un programa de cuentas no cabe «{ast.unparse(node)}»: solo enteros, nombres, + - *.")
        if abs(found) > MAX_VALUE:
            raise ValueError(f"Sale un número mayor que {MAX_VALUE}: acorta las cuentas.")
        return found

    try:
        lines = ast.parse(program).body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"No es un programa que se pueda leer: {error}.") from error
    result = None
    for line in lines:
        simple = isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name)
        if not simple and not isinstance(line, ast.Expr):
            raise ValueError(f"Cada línea es «nombre = cuenta» o una cuenta, y esta no: «{ast.unparse(line)}».")
        result = value(line.value)
        if simple:
            names[line.targets[0].id] = result
    if result is None:
        raise ValueError("El programa no tiene ninguna cuenta.")
    return result
