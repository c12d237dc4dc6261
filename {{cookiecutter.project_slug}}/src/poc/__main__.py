"""Let `python -m poc` do what `poc` does."""

from poc.cli import main

if __name__ == "__main__":
    main()
