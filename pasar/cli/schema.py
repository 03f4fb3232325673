"""`pasar schema`: the generated files of `schema/sdl/`."""

import typer

app = typer.Typer(no_args_is_help=True, help="Write or compare the committed schemas in schema/sdl/.")


@app.command("write")
def write() -> None:
    """Write each subgraph's SDL, the supergraph and the API schema into schema/sdl/."""
    from pasar.composing import SDL_FOLDER, render_sdl_files

    SDL_FOLDER.mkdir(exist_ok=True)
    for name, text in sorted(render_sdl_files().items()):
        (SDL_FOLDER / name).write_text(text, "utf-8")
        print(f"schema/sdl/{name}: {len(text.splitlines())} lines")


@app.command("check")
def check() -> None:
    """Compare schema/sdl/ with the code; exit code 1 and the names of stale files when they differ."""
    from pasar.composing import SDL_FOLDER, render_sdl_files

    wanted = render_sdl_files()
    present = {file.name: file.read_text("utf-8") for file in SDL_FOLDER.glob("*.graphql")}
    stale = sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))
    for name in stale:
        print(f"schema/sdl/{name} is stale: run `pasar schema write`")
    if stale:
        raise typer.Exit(1)
    print(f"{len(wanted)} files are up to date")
