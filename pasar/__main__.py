"""Makes `python -m pasar` the same as the command `pasar`."""

from pasar.cli import main

if __name__ == "__main__":
    main()
