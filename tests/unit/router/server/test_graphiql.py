from pathlib import Path

from router.server.graphiql import load_page


def test_the_built_page_is_served_and_forbidden_to_reach_any_other_host(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html>built</html>")
    page = load_page(tmp_path)
    assert page.html == b"<html>built</html>"
    assert page.assets == tmp_path
    policy = dict(page.headers)[b"content-security-policy"]
    assert policy.startswith(b"default-src 'self';")
    assert b"http" not in policy


def test_without_a_build_a_page_says_visibly_that_it_comes_from_a_cdn(tmp_path: Path) -> None:
    page = load_page(tmp_path / "nowhere")
    assert page.assets is None
    assert (
        b"This page loads GraphiQL from the CDN esm.sh, because the router's own build of it is missing." in page.html
    )
    assert b"content-security-policy" not in dict(page.headers)
