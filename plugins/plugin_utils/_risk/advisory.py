# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What feeds say: advisories of distributions, and what is known of a CVE. This module is private to the collection.

One record is one statement of one feed, in the words that all feeds share. The readers of feeds make them, the index of
advisories keeps them, and the evidence of a run keeps those that were asked for, so that a run can be judged again
without a feed. So a record holds whatever a verdict needs, and nothing that is only read by people.

A release is named as its feeds name it, see ``distributions.py``: ``debian`` ``bookworm`` (also ``sid``), ``ubuntu``
``22.04``, ``alpine`` ``v3.18``, ``almalinux`` ``9``, ``rocky`` ``9``, ``rhel`` ``9``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from .._evidence.codec import Meta, Record
from .._evidence.records.values import Count

#: A date, as 2026-11-25.
Date = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", extra_json_schema={"format": "date"})]

#: A CVE's id.
CVE = Annotated[str, Meta(pattern="^CVE-[0-9]{4}-[0-9]{4,19}$")]

#: A name from a feed: of a distribution, a release, a package, an advisory. Printable ASCII without spaces.
Name = Annotated[str, Meta(pattern="^[!-~]{1,200}$")]

#: A version, as the feed writes it. The comparison refuses what is none: it is a gap by name, and not an error here.
Version = Annotated[str, Meta(min_length=1, max_length=300)]

#: A share of one.
Share = Annotated[float, Meta(ge=0, le=1)]

#: A sentence of a feed, made visible.
Text = Annotated[str, Meta(max_length=1000)]

#: A digest.
SHA256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Advisory(Record, frozen=True, kw_only=True):
    """What one feed says of one vulnerability in one package of one release. A feed that names several ranges of
    versions for a package makes one record of each; an OSV record of five packages makes five."""

    feed: Name
    """The feed, by its name in FeedInfo."""
    distribution: Name
    """The distribution, as os-release(5) has it in ID: debian, ubuntu, alpine, almalinux, rocky, rhel."""
    release: Name
    """The release, as its feeds name it: bookworm, sid, 22.04, v3.18, 9."""
    channel: Literal["main", "pro", "fips", "eus", "other"] = "main"
    """Which of the release's archives the statement is of: Ubuntu:Pro is pro (ESM), a RHEL with extended support is
    eus."""
    of: Literal["source", "binary"]
    """What package is: Debian, Ubuntu and Alpine name source packages, feeds of rpm distributions binary packages."""
    package: Name
    """The package."""
    id: Name
    """The vulnerability: the CVE where the feed names one, else the feed's own id (ALSA-2025:7429,
    TEMP-0000000-0A1B2C). A record of an advisory with several CVEs is made once for each of them, with the
    advisory's id among the aliases."""
    aliases: tuple[Name, ...] = ()
    """Other ids of the same vulnerability, and of the advisories that name it (USN, DSA, ALSA)."""
    status: Literal["fixed", "open", "not-affected", "undetermined"]
    """fixed: versions from fixed_version on have the fix. open: no version of this release has. not-affected: no
    version of this release ever had the vulnerability (the tracker's fixed_version 0). undetermined: the feed does
    not know yet."""
    decision: Literal["none", "no-dsa", "postponed", "ignored", "end-of-life"] = "none"
    """What the distribution decided where it is open: Debian's nodsa and nodsa_reason, Ubuntu's deferred and
    ignored."""
    reason: Text | None = None
    """The distribution's words for the decision."""
    introduced: Version | None = None
    """The first version that is vulnerable; null for the first of all (OSV's 0)."""
    fixed_version: Version | None = None
    """The first version that is not vulnerable any more; null where there is none, or it is not known."""
    last_affected: Version | None = None
    """The last version that is vulnerable, where the feed names it in place of fixed_version (OSV's last_affected)."""
    urgency: Name | None = None
    """The distribution's own measure, in lower case: unimportant, low, medium, high, end-of-life, critical,
    important... Debian's asterisks are left off, and "not yet assigned" is null."""
    module: Name | None = None
    """The module's stream that an rpm belongs to (MODULARITYLABEL without version and context), as redis:7. Null
    where the feed does not say; that it is of some module shows in the version (.module)."""
    cvss: Name | None = None
    """A CVSS vector, of any version. For version 2 without a prefix, as feeds write it."""
    withdrawn: Date | None = None
    """When the feed took it back."""

    def __post_init__(self) -> None:
        if self.status == "fixed" and self.fixed_version is None and self.last_affected is None:
            raise ValueError("status is fixed, and neither fixed_version nor last_affected is there")
        if self.status != "fixed" and self.fixed_version is not None:
            raise ValueError(f"fixed_version is there, and status is {self.status}, not fixed")


class Exploited(Record, frozen=True, kw_only=True):
    """An entry of CISA's catalogue of known exploited vulnerabilities (KEV)."""

    cve: CVE
    """The vulnerability."""
    added: Date
    """When it was added (dateAdded)."""
    due: Date | None
    """By when federal agencies must fix it (dueDate)."""
    ransomware: bool | None
    """Whether ransomware is known to use it (knownRansomwareCampaignUse); null for Unknown."""


class Likely(Record, frozen=True, kw_only=True):
    """How likely somebody exploits it within 30 days: a row of EPSS."""

    cve: CVE
    """The vulnerability."""
    score: Share
    """The probability."""
    percentile: Share | None
    """The share of all CVEs with the same or a lower score; null in dumps before 2021-09."""
    model_version: Name | None
    """The model (model_version); null in dumps without it."""
    date: Date
    """The day of the scores (score_date, else of the file's name)."""


class Assessed(Record, frozen=True, kw_only=True):
    """CISA's assessment by SSVC, from Vulnrichment."""

    cve: CVE
    """The vulnerability."""
    exploitation: Literal["none", "poc", "active"] | None
    """Exploitation; null where there is none."""
    automatable: bool | None
    """Automatable; null where there is none."""
    technical_impact: Literal["partial", "total"] | None
    """Technical Impact; null where there is none."""
    date: Date
    """The day of the assessment."""
    cvss: Name | None = None
    """The CVSS vector beside it, the newest version that is there."""


class Support(Record, frozen=True, kw_only=True):
    """Until when a release, or a package in it, gets security fixes."""

    feed: Name
    """The feed, by its name in FeedInfo."""
    distribution: Name
    """As of an advisory."""
    release: Name
    """As of an advisory."""
    package: Name | None
    """The source package, which may be an anchored regular expression (php-horde.*); null for all of the release."""
    kind: Literal["standard", "lts", "extended", "limited"]
    """Whose support: by the distribution, by its long-term team, for customers (ESM, ELTS), or only in part."""
    end: Date | None
    """The last day; null where there is none (limited)."""
    last_version: Version | None = None
    """The last version of the package with support, where the feed names it."""
    reason: Text | None = None
    """The feed's words."""


class FeedInfo(Record, frozen=True, kw_only=True):
    """A feed that was read."""

    name: Name
    """Its name, as records of it have it in feed: debian-tracker, osv-almalinux, alpine-secdb, kev, epss, ..."""
    format: Name
    """How it was read: debian-tracker, osv, secdb, kev, epss, vulnrichment, distro-info, debian-security-support."""
    sha256: SHA256
    """The digest of the file that was read."""
    date: Date
    """The day of its content, by its own words where it has some, else of its newest record."""
    records: Count
    """How many records were made of it."""
    refused: Count = 0
    """How many were refused."""
    licence: Text
    """The licence of its data; not-stated where there is none."""
    covers: tuple[Name, ...] = ()
    """The releases that it speaks of, as debian/bookworm: what is not among them has no feed, and is not free of
    holes."""


class Asked(Record, frozen=True, kw_only=True):
    """What the advisories say of the packages and vulnerabilities of one host: all that a verdict needs, matching or
    not."""

    advisories: tuple[Advisory, ...]
    """Of the host's release and its packages."""
    exploited: tuple[Exploited, ...]
    """Of the vulnerabilities in advisories."""
    likely: tuple[Likely, ...]
    """Of the vulnerabilities in advisories."""
    assessed: tuple[Assessed, ...]
    """Of the vulnerabilities in advisories."""
    support: tuple[Support, ...]
    """Of the host's release and its packages."""
    feeds: tuple[FeedInfo, ...]
    """All feeds of the index."""
