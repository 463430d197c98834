"""El progreso de lectura: marca, barra lateral, «Continúa donde lo dejaste» y almacenamiento que falla."""

# Solo falla nuestra clave: el tema también usa el almacenamiento, y sin proteger.
BLOCKED = """
const setItem = Storage.prototype.setItem;
Storage.prototype.setItem = function (key, value) {
  if (key.startsWith("llm-en-tres-semanas")) throw new DOMException("lleno", "QuotaExceededError");
  setItem.call(this, key, value);
};
"""


def _toggle(page):
    return page.locator(".progress-toggle")


def _goto(page, book, name):
    page.goto((book / f"{name}.html").as_uri(), wait_until="load")


def test_mark_and_unmark_with_the_keyboard(open_page, book):
    page = open_page("chapters/uno")
    tick = page.locator(".bd-sidebar-primary .progress-tick")
    assert tick.count() == 0
    _toggle(page).focus()
    page.keyboard.press("Enter")
    assert _toggle(page).inner_text().strip() == "Leída. Quitar la marca"
    assert page.locator(".progress-box").get_by_role("status").inner_text() == "Página marcada como leída."
    assert tick.count() == 1
    assert page.locator(".bd-sidebar-primary a:has(.progress-tick)").text_content() == "Capítulo uno (leída)"
    _goto(page, book, "chapters/dos")
    assert _toggle(page).inner_text() == "Marcar como leída"
    assert tick.count() == 1  # la marca se ve desde otra página
    _goto(page, book, "chapters/uno")
    _toggle(page).press("Space")
    assert tick.count() == 0


def test_continue_where_you_left(open_page, book):
    page = open_page("intro")
    assert page.get_by_text("Continúa donde lo dejaste").count() == 0
    _goto(page, book, "chapters/dos")
    page.locator("#apartado-4").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#apartado-4').scrollIntoView()")
    _toggle(page).evaluate("button => button.click()")
    _goto(page, book, "intro")
    box = page.locator(".progress-continue")
    assert box.inner_text() == "Continúa donde lo dejaste: Capítulo dos: Apartado 4 1 página leída."
    box.get_by_role("link").click()
    assert page.url.endswith("chapters/dos.html#apartado-4")


def test_only_lessons_have_the_toggle(open_page, book):
    page = open_page("glosario")
    assert _toggle(page).count() == 0
    _goto(page, book, "intro")
    assert _toggle(page).count() == 0


def test_two_tabs_do_not_erase_each_other(open_page, book):
    first = open_page("chapters/uno")
    second = first.context.new_page()
    _goto(second, book, "chapters/dos")
    _toggle(first).click()
    _toggle(second).click()
    _goto(first, book, "intro")
    assert first.locator(".bd-sidebar-primary .progress-tick").count() == 2


def test_broken_data_is_discarded(open_page, book):
    page = open_page("intro")
    page.evaluate("localStorage.setItem('llm-en-tres-semanas:progreso', '{roto')")
    _goto(page, book, "chapters/uno")
    _toggle(page).click()
    assert page.locator(".progress-tick").count() == 1


def test_without_storage_or_without_javascript_nothing_shows(open_page, book):
    page = open_page("intro")
    page.context.add_init_script(BLOCKED)
    _goto(page, book, "chapters/uno")
    assert _toggle(page).count() == 0
    assert page.locator("sampling-explorer input").count() == 3  # el resto de la página sigue
    still = open_page("chapters/uno", java_script_enabled=False)
    assert _toggle(still).count() == 0
