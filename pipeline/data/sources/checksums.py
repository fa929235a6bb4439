"""Pinned size and SHA-256 of every file that may be downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Pin:
    """Size and hash that a file must have.

    Attributes:
        bytes: its size.
        sha256: SHA-256 of its bytes, 64 hex digits.
    """

    bytes: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.bytes:,} bytes with SHA-256 {self.sha256}"


# The published files, as the `datasets` library recorded them.
_OFFICIAL = """
CoLA.zip 376971 f212fcd832b8f7b435fb991f101abf89f96b933ab400603bf198960dfc32cbff
SST-2.zip 7439277 d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa
mrpc_dev_ids.tsv 6222 971d7767d81b997fd9060ade0ec23c4fc31cbb226a55d1bd4a1bac474eb81dc7
QQP-clean.zip 41696084 40e7c862c04eb26ee04b67fd900e76c45c6ba8e6d8fab4f8f1f8072a1a3fbae0
STS-B.zip 802872 e60a6393de5a8b5b9bac5020a1554b54e3691f9d600b775bd131e613ac179c85
MNLI.zip 312783507 e7c1d896d26ed6caf700110645df426cc2d8ebf02a5ab743d5a5c68ac1c83633
QNLIv2.zip 10627589 e634e78627a29adaecd4f955359b22bf5e70f2cbd93b493f2d624138a0c0e5f5
RTE.zip 697150 6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee
WNLI.zip 28999 ae0e8e4d16f4d46d4a0a566ec7ecceccfd3fbfaa4a7a4b4e02848c0f2561ac46
AX.tsv 222257 0e13510b1bb14436ff7e2ee82338f0efb0133ecf2e73507a697dc210db3f05fd
msr_paraphrase_train.txt 1047044 60a9b09084528f0673eedee2b69cb941920f0b8cd0eeccefc464a98768457f89
msr_paraphrase_test.txt 441275 a04e271090879aaba6423d65b94950c089298587d9c084bf9cd7439bd785f784
"""

# Files of nyu-mll/glue at commit bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c: config/split.
_HUB = """
ax/test 80767 a07b802fe2d4968a1f7ccce9406826dc77e0d1dc53fea9491664bd8ebba8571a
cola/test 37719 3c4d526b6f49f432621de43569f9ecf6af41f639baaf4a9d821b95d745def61d
cola/train 251124 2e7538afa2000e63f5343f16a758d75c452661a384208399d2035cd2fce45c33
cola/validation 37551 c14b7219a7d9f9fe3dd291fd000f6623ee413805eb108c9c49578ed50873e4ba
mnli/test_matched 1220119 a330c4f2aeb0bc92f1b4b133fbbaf51bf9c7d0f5cac3d06f49ef63af47dbb822
mnli/test_mismatched 1257857 e5078398d5c83d183578b1bdafe94e4491ed28ad1cf8d98ee8846afcec651f16
mnli/train 52224361 49a4a5508b89b8fed2c6e81d2c47d00f4759050a7048c6cc5d95d31122ced3c1
mnli/validation_matched 1214936 7f918c09d9c35446b8e8f06a5672f8ab704e2897fecbf52e2e154141f3d7c421
mnli/validation_mismatched 1251152 04aba92823a954be36fe1b69b61eed334c9eb1009daba0dd79f69d77b87c535c
mrpc/test 308441 a623ed1cbdf445b11f8e249acbf649d7d3a5ee58c918554c40cbd8307e488693
mrpc/train 649281 61fd41301e0e244b0420c4350a170c8e7cf64740335fc875a4af2d79af0df0af
mrpc/validation 75678 33c007dbf5bfa8463d87a13e6226df8c0fcf2596c2cd39d0f3bb79754e00f50f
qnli/test 877345 f39520cd07925c9784e4a7f1f7aed8f17f136039b8498f7ad07c7bf13d65ba83
qnli/train 17528917 ebc7cb70a5bbde0b0336c3d51f31bb4df4673e908e8874b090b52169b1365c6c
qnli/validation 872062 e69311b81dc65589286091d9905a27617a90436dd215c7a59832fa8f4f336169
qqp/test 36694152 95d5d1efcfa3ff7e090565e98085770b3497aad8dbcf12996412b23d2fb669e8
qqp/train 33558839 4d6f02e643f7c36e9a4f7d4971a5ee9bd74063a319452fe6c87850c739774cd7
qqp/validation 3729274 efd86a539c412d74874ee451573d7bd142f56c47fe36de033b9f367d8bb0fa71
rte/test 621413 3f44aadbfb8bbb7a64ba0674bd26ff77b66e88fdf7a6d64255a5ba6ae9057383
rte/train 583976 a6252ab17015d718f6de1effe0980f7b158df63e3d16207cd8bd396b608e5147
rte/validation 69020 fb2aa2e04f551133ba663617a15ae133dc22b0f6a969bc0629b5ea6003ee9cf8
sst2/test 147793 e9d23cf0067211d2baf018328b507f5153fb6704d75117295a8bda47c7adccb1
sst2/train 3110468 66a253e67968acfabcbe49dbe9da964b42ac1c851c40ab760e8c8942efdb3229
sst2/validation 72819 a1371f3b3a7b0bcefa8388799a9359dc3ce76c349cc0079507a7991364fd2a9b
stsb/test 114296 04fa2561f1ff3c395cf8980e3eed5d133c194abf636d5e1870d765c861087bd9
stsb/train 502065 bbd93bbb988fd18437e02185fe3b2bd9a18350376c392e7820de9df1b247ed1f
stsb/validation 150622 152de7cf1fa34ee4df1c243bd209b02ade21a1d5c4fb3b7da5240f78e4000aa9
wnli/test 13620 766d3754c46a80f3275cb81a32ee6b7b49176fa8c1ef85ea92a4a3676510b902
wnli/train 38835 40f4c0c60db68addeda8e9cbe25e6344cd99d5bbb80125535994a9a3141ee0a9
wnli/validation 11067 880037e45e03df868d5799ca21dc03f3a6378f0adf3c01c7bfc46b94fa61f1cb
"""


def _lines(table: str) -> Iterator[tuple[str, Pin]]:
    for line in table.split("\n"):
        if line:
            name, size, sha256 = line.split(" ")
            yield name, Pin(int(size), sha256)


OFFICIAL: Mapping[str, Pin] = MappingProxyType(dict(_lines(_OFFICIAL)))
"""By file name, such as `RTE.zip`."""

HUB: Mapping[str, Pin] = MappingProxyType(
    {f"{name}-00000-of-00001.parquet": pin for name, pin in _lines(_HUB)}
)
"""By path in the data set, such as `rte/train-00000-of-00001.parquet`."""

PINS: Mapping[str, Pin] = MappingProxyType({**OFFICIAL, **HUB})
"""Both; no name is in both."""
