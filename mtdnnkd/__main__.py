"""Run the command `mtdnnkd` as `python -m mtdnnkd`, which needs no installation."""

from mtdnnkd.cli import main

if __name__ == "__main__":
    main()
