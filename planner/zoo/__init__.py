"""Known networks included in the package: builders of spec documents, with expected parameter counts and MACs."""

from planner.zoo.catalogue import MEMBERS as MEMBERS
from planner.zoo.catalogue import matching as matching
from planner.zoo.catalogue import member as member
from planner.zoo.member import Member as Member
