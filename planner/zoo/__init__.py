"""Known networks that come with the package: builders of spec documents, and the figures they must have."""

from planner.zoo.catalogue import MEMBERS as MEMBERS
from planner.zoo.catalogue import matching as matching
from planner.zoo.catalogue import member as member
from planner.zoo.member import Member as Member
