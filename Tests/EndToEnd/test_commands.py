"""The command table beside Valkey's, and the page that tells what is there."""
import pytest

from commands import described, expected, page
from servers import ROOT

# Facts of Larder's own rows that are meant to differ: none.


@pytest.mark.larder_only
def test_every_command_is_described_as_valkey_describes_it(larder):
    wanted = expected()
    found = described(larder())
    assert len(found) > 250
    wrong = []
    for name, (row, summary) in found.items():
        assert name in wanted, f"Valkey has no {name}"
        if row != wanted[name]:
            wrong.append(f"{row}\n  instead of\n{wanted[name]}")
        if not summary:
            wrong.append(f"{name} does not say what it does")
    assert not wrong, "\n".join(wrong)


@pytest.mark.larder_only
def test_the_page_of_commands_is_fresh(larder):
    assert (ROOT / "COMMANDS.md").read_text() == page(described(larder())), "run Tools/docs"
