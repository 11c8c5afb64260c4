"""The judgement of a watch, tick by tick."""

from __future__ import annotations

from auditor.flow import IPV4_MAPPED
from auditor.health import Health
from auditor.rulepack import enable
from auditor.site import Site
from auditor.watch.judging import Judging
from auditor.watch.options import Options
from tests.flowbuilder import capture
from tests.watch.test_window import SECOND, START, tick

CLIENT, SERVER = IPV4_MAPPED | 0x0A010203, IPV4_MAPPED | 0x42F10709  # 66.241.7.9 is drbackup's


def test_what_a_watch_finds_keeps_nothing_of_the_other_findings_of_its_time() -> None:
    flow = {"flow_id": 7, "protocol": 17, "version": 4, "initiator_lo": CLIENT, "responder_lo": SERVER}
    health = Health(START, START, 1, one_sided=False, complete=True, captures=(capture(),))
    totals = {"events_dropped": 0, "unwanted_flows": 0, "unwanted_packets": 0, "unwanted_bytes": 0}
    now = tick({**flow, "first_frame": 1, "responder_port": 99}, ended=1)
    now.totals = totals
    judged = Judging(Options()).take(now, START + SECOND, health, enable(None, []), Site(), again=True)
    [finding] = [one for one in judged.findings if one.check == "udp-use"]
    assert (type(finding.flow_ids), type(finding.evidence)) == (tuple, tuple)
    assert (finding.flow_ids, finding.evidence[0].frame) == (("0000000000000007",), 1)
