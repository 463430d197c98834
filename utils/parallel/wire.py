"""Los bytes que llegan de verdad a un proceso, contados por el sistema operativo.

Linux lleva, por cada conexión TCP, la cuenta de los bytes recibidos (`struct tcp_info`). Sumarlas todas da un testigo
que no sabe nada de nuestro código: cuenta también lo que torch mueve por dentro. Entran las cabeceras de los mensajes
de gloo y no las de TCP. Se cuenta lo recibido y no lo enviado porque los reenvíos no lo alteran; en un anillo, cada
proceso recibe tanto como envía.

Lo que NO hace: ver lo que no pasa por TCP (NVLink, PCIe, InfiniBand) ni funcionar fuera de Linux, donde devuelve None.
"""

import os
import socket
import stat
import struct
import sys

# Lugar de `tcpi_bytes_received` en la estructura, desde Linux 4.1 (include/uapi/linux/tcp.h).
TCP_INFO, RECEIVED = 11, 128


def bytes_on_wire() -> int | None:
    """Bytes llegados por las conexiones TCP abiertas de este proceso, o None si el sistema no lo dice.

    Sirve la diferencia entre dos llamadas con las mismas conexiones abiertas.

    >>> before = bytes_on_wire(); before is None or before >= 0
    True
    """
    if sys.platform != "linux":
        return None
    total = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as connection:  # la copia se cierra; la original, no
                if connection.type != socket.SOCK_STREAM or connection.family not in (socket.AF_INET, socket.AF_INET6):
                    continue
                info = connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 512)
        except OSError:  # se ha cerrado entretanto
            continue
        if len(info) < RECEIVED + 8:
            return None
        total += struct.unpack_from("Q", info, RECEIVED)[0]
    return total
