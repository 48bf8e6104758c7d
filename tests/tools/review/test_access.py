"""The review page for everyone: narrow screens, contrast, names, motion."""

import pytest


class TestEveryone:
    @pytest.mark.parametrize("width", [320, 390, 768])
    def test_nothing_hangs_over_a_narrow_screen(self, open_page, six_pairs, width):
        page = open_page(six_pairs, viewport={"width": width, "height": 780}, has_touch=True, is_mobile=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator(".card").first.click()
        wide = "[...document.querySelectorAll('#detail *')].filter((e) => e.id !== 'slider' && !e.closest('.layers, .unseen') && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.id || e.className)"  # noqa: E501
        assert page.evaluate(wide) == []
        for button in ("#accept", "#reject", "#next", "#close"):
            assert page.locator(button).bounding_box()["height"] >= 40

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_stands_out_as_wcag_aa_asks(self, open_page, six_pairs, scheme):
        page = open_page(six_pairs, color_scheme=scheme)
        assert page.evaluate(LOW_CONTRAST) == []
        page.locator(".card").first.click()
        assert page.evaluate(LOW_CONTRAST) == []
        page.keyboard.press("a")
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(LOW_CONTRAST) == []
        page.keyboard.press("r")
        assert page.evaluate(LOW_CONTRAST) == []
        page.locator("#redo-send").click()
        assert page.locator("#toast").is_visible() and page.evaluate(LOW_CONTRAST) == []

    def test_every_control_has_a_name(self, open_page, six_pairs):
        page = open_page(six_pairs)
        page.locator(".card").first.click()
        page.keyboard.press("s")
        unnamed = """[...document.querySelectorAll('button, input, select, textarea, img')].filter((e) =>
            !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.hasAttribute('alt')))
            .map((e) => e.outerHTML)"""
        assert page.evaluate(unnamed) == []

    def test_less_motion_where_it_is_asked_for(self, open_page, six_pairs):
        page = open_page(six_pairs, reduced_motion="reduce")
        seconds = "[...document.querySelectorAll('*')].map((e) => parseFloat(getComputedStyle(e).transitionDuration))"
        assert max(page.evaluate(seconds)) == 0


# Text whose colour is too close to what lies behind it: 4.5 to 1, or 3 to 1 when it is large (WCAG 2.2, 1.4.3).
LOW_CONTRAST = r"""(() => {
  const parse = (text) => text.match(/[\d.]+/g).map(Number);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const share = c[i] / 255;
    return sum + weight * (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  }, 0);
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(e).backgroundColor);
      layers.unshift([r, g, b, a]);
      if (a === 1) break;
    }
    return layers.reduce((under, [r, g, b, a]) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a)), [255, 255, 255]);
  };
  const open = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  return [...open.querySelectorAll('*')].filter((e) => {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const exempt = ':disabled, option, .unseen, kbd, script, style, .tags';
    if (!own || !e.checkVisibility() || e.closest(exempt)) return false;
    const style = getComputedStyle(e);
    const [one, two] = [light(parse(style.color)), light(behind(e))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    return (one + 0.05) / (two + 0.05) < (large ? 3 : 4.5);
  }).map((e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 30)}`);
})()"""
