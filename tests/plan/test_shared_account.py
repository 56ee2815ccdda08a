"""dev and prod can share an account: what one environment makes has no name that the other makes too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from plans import Resource, collect
from service_mappings import MAPPINGS
from service_models import required_arguments

Identity = tuple[str, tuple[tuple[str, str], ...]]

# Terraform's mocks stand for ids that AWS gives: they differ on AWS.
MOCKED = ("mock", "00000000-0000-4000-8000", "0123456789abcdef0")

# AWS knows these by an id that it gives them; what their call must have is no name.
WITHOUT_NAMES = {"aws_emrserverless_application"}


def test_no_two_environments_make_the_same(
    tested: Callable[[str], list[dict[str, Any]]], infrastructure: Path
) -> None:
    dev, prod = (
        [one for found in collect(tested(root), infrastructure / root, root).values() for one in found]
        for root in ("environments/dev", "environments/prod")
    )
    assert len({kind for kind, _ in identities(dev)}) > 20
    assert identities(dev) & identities(prod) == set()
    queue = next(one for one in dev if one.type == "aws_sqs_queue")
    assert len(identities(dev) & identities([*prod, queue])) == 1


def identities(resources: list[Resource]) -> set[Identity]:
    """Return what AWS knows the resources by: their types, and the texts that the call must have."""
    found = set()
    for resource in resources:
        if resource.type not in MAPPINGS or resource.type in WITHOUT_NAMES:
            continue
        required = required_arguments(resource.arguments, MAPPINGS[resource.type])
        if required and not any(mark in value for _, value in required for mark in MOCKED):
            found.add((resource.type, required))
    return found
