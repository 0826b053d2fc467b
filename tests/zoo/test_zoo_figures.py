"""Every network of the zoo has the figures it states, and those are the published ones."""

from __future__ import annotations

from functools import cache

import pytest

import planner.symbols as sy
from planner import Plan, spec
from planner.cli.subject import read_subject
from planner.spec.documents import member_text
from planner.zoo import MEMBERS, Member
from tests.harness.published import AUXILIARY, FIXED, OTHERS, TORCHVISION, Published

ALL = pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))


@cache
def plan_of(name: str) -> Plan:
    """Return the plan of a network in whose spec nothing is found."""
    subject = read_subject(f"zoo:{name}")
    assert [finding.message for finding in subject.findings] == []
    assert subject.plan is not None
    return subject.plan


def macs(plan: Plan, **sizes: int) -> int:
    return sy.evaluate(plan.macs, {name: size for name, size in {"N": 1, **sizes}.items() if name in plan.free})


@ALL
def test_nothing_is_found_in_a_network_and_it_has_the_figures_it_states(member: Member) -> None:
    plan = plan_of(member.name)
    assert (plan.parameter_count, macs(plan, **member.at)) == (member.parameter_count, member.macs)


@ALL
def test_every_network_states_where_it_was_published(member: Member) -> None:
    assert member.title[0].isupper() and not member.title.endswith(".")
    assert f"{member.parameter_count:,} parameters" in member_text(member)


@pytest.mark.parametrize(("name", "published"), TORCHVISION.items(), ids=list(TORCHVISION))
def test_figures_are_those_of_torchvision(name: str, published: Published) -> None:
    member = MEMBERS[name]
    counted = AUXILIARY[name] if name == "inception_v3" else 0
    assert member.parameter_count + counted == published.parameters
    assert member.macs == published.macs
    assert set(member.at.values()) == {published.side}


@pytest.mark.parametrize(("name", "published"), TORCHVISION.items(), ids=list(TORCHVISION))
def test_the_smallest_image_is_that_of_torchvision(name: str, published: Published) -> None:
    plan = plan_of(name)
    sizes = range(1, 140)
    assert [side for side in sizes if plan.accepts(N=1, H=side, W=side)] == [*range(published.smallest, 140)]


@pytest.mark.parametrize(("name", "published"), OTHERS.items(), ids=list(OTHERS))
def test_figures_and_the_smallest_image_of_other_networks_are_those_of_their_sources(
    name: str, published: Published
) -> None:
    member = MEMBERS[name]
    assert (member.parameter_count, member.macs) == published[:2]
    assert set(member.at.values()) == {published.side}
    plan = plan_of(name)
    assert plan.accepts(N=1, H=published.smallest, W=published.smallest)
    assert not any(plan.accepts(N=1, H=side, W=side) for side in range(1, published.smallest))


@pytest.mark.parametrize(("name", "figures"), FIXED.items(), ids=list(FIXED))
def test_figures_of_networks_for_one_size_are_those_of_their_sources(name: str, figures: tuple[int, int]) -> None:
    assert (MEMBERS[name].parameter_count, MEMBERS[name].macs) == figures


def test_m5_hears_as_little_sound_as_leaves_a_window_to_each_of_its_layers() -> None:
    def fits(length: int) -> bool:
        for kernel, stride in ((80, 16), (4, 4), (3, 1), (4, 4), (3, 1), (4, 4), (3, 1), (4, 4)):
            if length < kernel:
                return False
            length = (length - kernel) // stride + 1
        return True

    shortest = next(length for length in range(1, 8000) if fits(length))
    plan = plan_of("m5")
    assert [length for length in range(1, 8000) if plan.accepts(N=1, L=length)] == [*range(shortest, 8000)]


def test_every_network_has_a_source_for_its_figures() -> None:
    assert {*TORCHVISION, *OTHERS, *FIXED} == set(MEMBERS)


def test_the_first_form_of_lenet_has_the_papers_parameters_layer_by_layer() -> None:
    plan, found = plan_of("lenet5_1998"), dict.fromkeys(("c1", "s2", "c3", "s4", "c5", "f6"), 0)
    for node in plan.nodes:
        stage = node.name.partition(".")[0].partition("_")[0]
        if stage in found:
            found[stage] += int(node.parameter_count)
    assert list(found.values()) == [156, 12, 1_516, 32, 48_120, 10_164]


@pytest.mark.parametrize("name", AUXILIARY)
def test_auxiliary_heads_are_there_where_they_are_asked_for(name: str) -> None:
    network, findings = spec.read(member_text(MEMBERS[name], aux=True), name)
    assert network is not None and not findings
    plan = network.check()
    assert plan.parameter_count == MEMBERS[name].parameter_count + AUXILIARY[name]
    assert len(plan.outputs) == {"googlenet": 3, "inception_v3": 2}[name]
