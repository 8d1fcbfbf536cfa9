#!/usr/bin/python

# Copyright (c) 2026 vigil.ports maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: listeners_info
short_description: List the listening sockets of a host with their owners
version_added: 0.1.0
description:
  - Lists the sockets of a host that receive traffic, with their processes, users, systemd units, containers and
    packages. These are TCP sockets that listen, UDP sockets that are bound and not connected, and packet and raw
    sockets, which have no port.
  - The kernel returns only listening sockets over netlink, so the number of connections does not matter. If netlink is
    refused, C(/proc/net) is read instead, and RV(coverage.sources) shows it.
  - Listeners are never dropped. A listener with an unknown owner has RV(listeners[].owners_state=unknown).
    RV(coverage) lists what could not be read.
  - Works on its own in any playbook, without the rest of this collection.
author:
  - vigil.ports maintainers (@vigil-ports)
options:
  namespaces:
    description:
      - Which network namespaces to list.
      - V(host) is the network namespace that the module runs in. Others are entered only to check whether they have
        addresses of their own, see RV(coverage.namespaces.left_out).
      - V(all) also lists those of containers and those of C(ip netns). This needs root.
    type: str
    choices:
      - host
      - all
    default: host
  owners:
    description:
      - How far to search for the processes of listeners. This is the main cost of a listing.
      - V(all) names every process that holds the socket, and looks at the open files of all processes for that. A
        process that shares a port with a service, or that was handed its socket, is found by this only.
      - V(first) names one process for each listener, from the few that can be it, which are those in the cgroup that
        the socket was made in, then those of its user. RV(listeners[].owners_state) is V(partial) then, as others may
        hold the socket too.
      - V(unit) looks at no process. RV(listeners[].unit), RV(listeners[].container) and RV(listeners[].uid) are those
        that the kernel tells of the socket, by its cgroup (Linux 5.8 and cgroup v2), and RV(listeners[].owners) is
        empty.
    type: str
    choices:
      - unit
      - first
      - all
    default: all
  packages:
    description:
      - Whether to look up the installed package of each executable, in the database of C(dpkg), or with C(dpkg-query),
        C(rpm) or C(apk).
      - Executables inside of containers are not looked up, as the host's packages do not speak for them.
    type: bool
    default: false
  commands:
    description:
      - How to show the command lines of the owners.
      - V(redacted) replaces what looks like a secret by C([redacted]). These are the values of options and
        assignments whose names say so, user information in URLs, authorization headers, and well-known tokens. A
        secret that nothing marks as one cannot be recognized.
      - V(none) leaves command lines out.
      - V(full) shows them as they are. Use C(no_log) on the task if they may hold secrets.
    type: str
    choices:
      - none
      - redacted
      - full
    default: redacted
  verify_bind:
    version_added: 0.2.0
    description:
      - Ports that are also tried with C(bind()), in each network namespace that is looked at. The kernel refuses it
        where a socket holds the port, also one that C(/proc) and netlink do not show because somebody hides it. What
        came of it is in RV(bind).
      - Each port is held for some microseconds. Nothing listens and nothing is sent. A UDP datagram that arrives in
        that moment is lost, and a service that starts in that moment may be refused its port; one on TCP that sets
        C(SO_REUSEADDR), as nearly all do, is not. So name the ports that matter rather than all.
      - A port that nothing listed seems to hold is tried three times within 0.2 seconds, with a new listing each time,
        so that what is just starting or ending is not called hidden.
    type: dict
    suboptions:
      tcp:
        description: TCP ports, and ranges as V(9000-9010).
        type: list
        elements: str
        default: []
      udp:
        description: UDP ports, and ranges.
        type: list
        elements: str
        default: []
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the status without modifying anything.
    support: full
  diff_mode:
    description: Returns details on what has changed, when in diff mode.
    support: none
  platform:
    description: Operating systems this module runs on.
    support: full
    platforms: linux
notes:
  - Without root (more exactly, without C(CAP_SYS_PTRACE) and C(CAP_DAC_READ_SEARCH)) the listeners are all there, but
    the owners of sockets of other users are unknown.
  - Asking the kernel may make it load its C(inet_diag) and C(nf_tables) modules, as C(ss) and C(nft) do. Nothing else
    changes on the host.
  - Without C(CAP_NET_BIND_SERVICE), O(verify_bind) cannot tell anything of ports below 1024 (more exactly, below
    C(net.ipv4.ip_unprivileged_port_start)). They are V(unknown) in RV(bind).
seealso:
  - module: community.general.listen_ports_facts
    description: Lists listening ports with C(netstat) or C(ss).
"""

EXAMPLES = r"""
- name: See what listens on the host
  vigil.ports.listeners_info:
  become: true
  register: seen

- name: Fail when anything but SSH takes TCP connections from other hosts
  ansible.builtin.assert:
    that: (item.address is ansible.builtin.search('^127[.]|^::1$')) or item.port == 22
    fail_msg: >-
      {{ item.address }}:{{ item.port }} is open, by
      {{ item.owners | map(attribute='name') | join(', ') or 'an unknown process' }}
  loop: "{{ seen.listeners | selectattr('protocol', 'equalto', 'tcp') }}"
  loop_control:
    label: "{{ item.address }}:{{ item.port }}"

- name: Look into the containers as well, and name the installed packages
  vigil.ports.listeners_info:
    namespaces: all
    packages: true
    commands: none
  become: true

- name: See what listens in which unit, in milliseconds on any host
  vigil.ports.listeners_info:
    owners: unit

- name: Fail when somebody hides a listener on one of these ports
  vigil.ports.listeners_info:
    verify_bind:
      tcp: [22, 8080, 9000-9010]
      udp: [53]
  become: true
  register: seen
  failed_when: "'held_by_unlisted' in seen.bind.ports | map(attribute='state')"

# What community.general.listen_ports_facts gave as facts
- name: See what listens on the host
  vigil.ports.listeners_info:
  become: true
  register: seen

- name: Keep the TCP and UDP ports as facts
  ansible.builtin.set_fact:
    tcp_ports: "{{ seen.listeners | selectattr('protocol', 'equalto', 'tcp') | map(attribute='port') | unique | sort }}"
    udp_ports: "{{ seen.listeners | selectattr('protocol', 'equalto', 'udp') | map(attribute='port') | unique | sort }}"

# An answer is only as good as what could be looked at
- name: Make sure that everything was looked at
  ansible.builtin.assert:
    that:
      - seen.coverage.problems | length == 0
      - seen.coverage.owners.complete
      - "'failed' not in seen.coverage.sources.values()"
"""

RETURN = r"""
listeners:
  description:
    - What takes traffic, one entry for each network namespace, protocol, family, address, port and bound device.
    - Sorted, so that the same sockets give the same list.
  returned: always
  type: list
  elements: dict
  contains:
    protocol:
      description: V(tcp), V(udp), V(udplite), V(sctp) or V(dccp). A listener for MPTCP is listed once, as V(tcp).
      type: str
      returned: always
      sample: tcp
    family:
      description: V(ipv4) or V(ipv6). An IPv4-mapped IPv6 address counts as V(ipv4).
      type: str
      returned: always
      sample: ipv6
    address:
      description: The address that the socket is bound to.
      type: str
      returned: always
      sample: "::"
    port:
      description: The port.
      type: int
      returned: always
      sample: 443
    interface:
      description: The network device that the socket is bound to, or V(null). C(/proc/net) does not tell it.
      type: str
      returned: always
      sample: eth0
    v6only:
      description:
        - Whether an IPv6 socket takes IPv6 traffic only. When V(false) and bound to V(::), it takes IPv4 as well.
        - V(null) for IPv4, and where C(/proc/net) had to be read, which does not tell.
      type: bool
      returned: always
      sample: false
    namespace:
      description:
        - The network namespace, which is V(host), C(netns/NAME), C(container/NAME), C(container/NAMESPACE/POD) or
          C(net:[INODE]).
        - The name of a container is the one that docker or podman know it by, that of a pod is the one of Kubernetes.
          Where it cannot be read the first 12 characters of the container's id stand in its place.
      type: str
      returned: always
      sample: host
    uid:
      description: The user id of the socket; V(null) when sockets of several users share the endpoint.
      type: int
      returned: always
      sample: 0
    user:
      description: The name of that user; V(null) when it has none on this host.
      type: str
      returned: always
      sample: root
    unit:
      description:
        - The systemd unit, by the cgroup that the socket was made in, or else the one that all owners share.
        - For a socket that systemd holds, the socket unit.
      type: str
      returned: always
      sample: ssh.socket
    activates:
      description: The unit that a socket unit starts, or the template of which it starts one for each connection.
      type: str
      returned: always
      sample: ssh.service
    activated:
      description:
        - What that unit is to run, by its settings, whether it runs or not.
        - V(null) where there is none, or where its settings name no single command of the host's own root directory.
      type: dict
      returned: always
      contains:
        name:
          description: The name that the process will have first, which is that of the command's file.
          type: str
          returned: always
          sample: sshd
        executable:
          description: The path of the command, with links followed.
          type: str
          returned: always
          sample: /usr/sbin/sshd
        uid:
          description: The user id that it is to run as; V(null) when it is not known yet.
          type: int
          returned: always
          sample: 0
        user:
          description: The name of that user.
          type: str
          returned: always
          sample: root
    container:
      description: The container, as runtime and the first 12 characters of its id.
      type: str
      returned: always
      sample: docker/4f5ee1b26a1c
    owners:
      description: The processes that hold the socket open, by process id; those that O(owners) asks for.
      type: list
      elements: dict
      returned: always
      contains: &owner
        pid:
          description: The process id, as seen from where the module runs.
          type: int
          returned: always
          sample: 812
        name:
          description: The name that the process gave itself. What does not print is escaped.
          type: str
          returned: always
          sample: nginx
        executable:
          description: The path of the executable, without C( (deleted\)); V(null) when it may not be read.
          type: str
          returned: always
          sample: /usr/sbin/nginx
        executable_deleted:
          description: Whether that file was deleted or replaced since, so that the process should be restarted.
          type: bool
          returned: always
          sample: false
        executable_file:
          description:
            - The file that runs, so that another one at the same path is known. V(null) when it may not be looked at.
          type: dict
          returned: always
          contains:
            size:
              description: Its size in bytes.
              type: int
              returned: always
              sample: 1234567
            modified:
              description: When it was written last, in seconds since the epoch.
              type: int
              returned: always
              sample: 1767225600
            inode:
              description: Its inode number.
              type: int
              returned: always
              sample: 131074
        executable_seen_as:
          description:
            - Whose path RV(listeners[].owners[].executable) is. V(host) when the host finds that very file there, or
              the process sees the files of the host as the host does. V(other) when the process has mounts of its own
              and the host has another file at that path, or none, as in a container, or where somebody put a file in
              place of another for one process. V(unknown) when the file was deleted or may not be looked at.
          type: str
          returned: always
          sample: host
        command:
          description: The command line, see O(commands).
          type: str
          returned: always
          sample: "nginx: master process /usr/sbin/nginx"
        uid:
          description: The effective user id of the process.
          type: int
          returned: always
          sample: 0
        user:
          description: The name of that user.
          type: str
          returned: always
          sample: root
        unit:
          description: The systemd unit of the process.
          type: str
          returned: always
          sample: nginx.service
        container:
          description: The container of the process.
          type: str
          returned: always
          sample: null
        child_of:
          description: >-
            The process id of the nearest process above it that holds a listed socket too, where both are of the same
            service; V(null) where there is none.
          type: int
          returned: always
          sample: 811
        package:
          description: >-
            The installed package of the executable, see O(packages); V(null) when not asked for or when
            none owns it.
          type: dict
          returned: always
          contains:
            name:
              description: The name of the package.
              type: str
              returned: always
              sample: nginx
            version:
              description: Its version, as the package manager writes it.
              type: str
              returned: always
              sample: 1.22.1-9
            manager:
              description: V(dpkg), V(rpm) or V(apk).
              type: str
              returned: always
              sample: dpkg
    owners_state:
      description:
        - V(known) when each socket of the endpoint has an owner and all processes were looked at, V(partial) when some
          have or when O(owners=first) named one, V(unknown) when none has.
        - A socket of the kernel itself has no owner, and neither has one of a process that may not be looked at; the
          two cannot be told apart, so both are V(unknown). V(kernel) is reserved for sockets that are known to be the
          kernel's.
      type: str
      returned: always
      sample: known
    sockets:
      description: How many sockets share the endpoint (C(SO_REUSEPORT)).
      type: int
      returned: always
      sample: 1
    ephemeral:
      description: >-
        Whether this is a UDP wildcard socket in the C(ip_local_port_range) of its namespace, so probably a
        client's.
      type: bool
      returned: always
      sample: false
raw_sockets:
  description:
    - Packet and raw sockets, which take packets and have no port, one entry for each group of them that is alike.
    - No scan finds them. A DHCP client, a sniffer and a backdoor that waits for a certain packet all have one.
    - Sorted, so that the same sockets give the same list.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: V(packet), which takes whole frames (C(packet(7\))), or V(raw), which takes IP packets (C(raw(7\))).
      type: str
      returned: always
      sample: packet
    family:
      description: V(ipv4) or V(ipv6) of a raw socket, V(null) of a packet socket.
      type: str
      returned: always
      sample: null
    number:
      description: What it takes, which is an Ethernet protocol of a packet socket (3 is all of them), and an IP
        protocol of a raw one (1 is ICMP).
      type: int
      returned: always
      sample: 2048
    receives:
      description: Whether it takes anything. A packet socket with 0 and a raw one with 255 can only send.
      type: bool
      returned: always
      sample: true
    interface:
      description: The network device of a packet socket, V(null) for all of them. C(/proc/net) does not tell that of a
        raw socket.
      type: str
      returned: always
      sample: eth0
    address:
      description: The address that a raw socket is bound to, V(null) of a packet socket.
      type: str
      returned: always
      sample: null
    namespace:
      description: The network namespace, as in RV(listeners[].namespace).
      type: str
      returned: always
      sample: host
    uid:
      description: The user id of the socket.
      type: int
      returned: always
      sample: 0
    user:
      description: The name of that user; V(null) when it has none on this host.
      type: str
      returned: always
      sample: root
    unit:
      description: The systemd unit that all owners share.
      type: str
      returned: always
      sample: ifup@eth0.service
    container:
      description: The container that all owners share.
      type: str
      returned: always
      sample: null
    owners:
      description: The processes that hold it open, as RV(listeners[].owners).
      type: list
      elements: dict
      returned: always
      contains: *owner
    owners_state:
      description: As RV(listeners[].owners_state).
      type: str
      returned: always
      sample: known
    sockets:
      description: How many sockets the entry is for.
      type: int
      returned: always
      sample: 1
translated:
  description:
    - Ports that lead elsewhere by address translation, in the network namespace that the module runs in. Nothing
      listens on them. Published ports of containers, NodePorts and virtual servers are such ports.
    - From the rules of nftables, those that C(iptables-nft) writes among them, and from C(/proc/net/ip_vs). Not of what
      an eBPF program leads elsewhere.
  returned: always
  type: list
  elements: dict
  contains:
    protocol:
      description: V(tcp), V(udp), V(sctp) or C(ip-NUMBER), V(null) for any.
      type: str
      returned: always
      sample: tcp
    ports:
      description: The ports and ranges, V(null) where a rule does not name them.
      type: str
      returned: always
      sample: 8080,30000-30010
    address:
      description: The address that packets must be sent to, V(null) for any.
      type: str
      returned: always
      sample: 192.0.2.10
    by:
      description: V(nftables) or V(ip_vs).
      type: str
      returned: always
      sample: nftables
addresses:
  description: The host's own addresses, in the network namespace that the module runs in.
  returned: always
  type: list
  elements: dict
  contains:
    interface:
      description: The network device.
      type: str
      returned: always
      sample: eth0
    address:
      description: The address.
      type: str
      returned: always
      sample: 192.0.2.10
    prefix:
      description: The length of the network prefix.
      type: int
      returned: always
      sample: 24
    family:
      description: V(ipv4) or V(ipv6).
      type: str
      returned: always
      sample: ipv4
    inner:
      description: True for the address of a bridge by which no packet leaves the host, as containers and virtual
        machines hang on (C(docker0), C(virbr0)).
      type: bool
      returned: always
      sample: false
machine:
  description:
    - Which machine answered. A name of the inventory may lead to another one than it seems to.
    - RV(machine.id) is the same for years, and clones of one image share it. RV(machine.stack) changes with each boot,
      and no two network stacks have the same.
  returned: always
  type: dict
  contains:
    id:
      description: A digest of C(machine-id), V(null) where the system has none.
      type: str
      returned: always
      sample: 5c8e1d0f7b3a4e6f9a2b1c0d3e4f5a6b
    stack:
      description: A digest of the kernel's boot id and of the network namespace, V(null) where they are not known.
      type: str
      returned: always
      sample: 0d3e4f5a6b5c8e1d0f7b3a4e6f9a2b1c
    addresses:
      description: The machine's addresses, without those of loopback.
      type: list
      elements: str
      returned: always
      sample: ["192.0.2.10", "2001:db8::10"]
host:
  description: What was looked at.
  returned: always
  type: dict
  contains:
    hostname:
      description: The name that the host gives itself.
      type: str
      returned: always
      sample: web1
    kernel:
      description: The release of its kernel.
      type: str
      returned: always
      sample: 6.1.0-18-amd64
    python:
      description: The version of Python that ran the module.
      type: str
      returned: always
      sample: 3.11.2
coverage:
  description: What was looked at, what was not, and why.
  returned: always
  type: dict
  contains:
    started:
      description: When the observation began, in UTC.
      type: str
      returned: always
      sample: "2026-11-20T13:15:00Z"
    finished:
      description: When it ended, in UTC.
      type: str
      returned: always
      sample: "2026-11-20T13:15:01Z"
    privileged:
      description: Whether the module was allowed to see the open files of every process.
      type: bool
      returned: always
      sample: true
    sources:
      description:
        - How each kind of socket was listed. Of several namespaces, the worst.
        - V(netlink) tells everything, V(proc) tells no bound device of IP sockets and no IPV6_V6ONLY, V(absent) is IPv6
          switched off or a kind that the kernel does not have, V(failed) means that nothing is known.
      type: dict
      returned: always
      contains:
        tcp_ipv4:
          description: TCP over IPv4.
          type: str
          returned: always
          sample: netlink
        tcp_ipv6:
          description: TCP over IPv6.
          type: str
          returned: always
          sample: netlink
        udp_ipv4:
          description: UDP over IPv4.
          type: str
          returned: always
          sample: netlink
        udp_ipv6:
          description: UDP over IPv6.
          type: str
          returned: always
          sample: absent
        packet:
          description: Packet sockets.
          type: str
          returned: always
          sample: proc
        raw_ipv4:
          description: Raw sockets of IPv4.
          type: str
          returned: always
          sample: proc
        raw_ipv6:
          description: Raw sockets of IPv6.
          type: str
          returned: always
          sample: proc
    not_looked_at:
      description: Kinds of sockets that the host may have and that are not listed.
      type: list
      elements: dict
      returned: always
      contains:
        what:
          description: The kind of socket.
          type: str
          returned: always
          sample: tipc
        reason:
          description: Why, and how many there are where the kernel counts them.
          type: str
          returned: always
          sample: tipc sockets are not known to this module; 1 in use
        in_use:
          description: How many the kernel counts, in all namespaces that were looked at; V(null) where it does not.
          type: int
          returned: always
          sample: 1
    owners:
      description: How well the owners are known.
      type: dict
      returned: always
      contains:
        asked:
          description: The value of O(owners).
          type: str
          returned: always
          sample: all
        complete:
          description: Whether each process was looked at, which O(owners=all) asks for.
          type: bool
          returned: always
          sample: true
        unknown:
          description: >-
            How many listeners have a socket without a known owner; with O(owners=first) no owner at all, and with
            O(owners=unit) neither unit nor container.
          type: int
          returned: always
          sample: 0
    namespaces:
      description: Which network namespaces were looked at.
      type: dict
      returned: always
      contains:
        asked:
          description: The value of O(namespaces).
          type: str
          returned: always
          sample: host
        seen:
          description: The names of those that were looked at.
          type: list
          elements: str
          returned: always
          sample: [host]
        missed:
          description: Those that were asked for and could not be looked at.
          type: list
          elements: dict
          returned: always
          contains:
            namespace:
              description: The name of the namespace, V(unknown) where not even that is known.
              type: str
              returned: always
              sample: netns/blue
            reason:
              description: Why.
              type: str
              returned: always
              sample: "/run/netns/blue: Operation not permitted"
        left_out:
          description: >-
            The names of the others that have an address by which another machine can reach them, where only V(host) was
            asked for. Those that could not be entered are among them.
          type: list
          elements: str
          returned: always
          sample: [container/web]
    packages:
      description: Whether the packages are known.
      type: dict
      returned: always
      contains:
        asked:
          description: The value of O(packages).
          type: bool
          returned: always
          sample: false
        manager:
          description: The package manager of the host, V(null) when not asked for or not known.
          type: str
          returned: always
          sample: dpkg
        complete:
          description: Whether all executables on the host were looked up.
          type: bool
          returned: always
          sample: false
    problems:
      description: What did not go as it should.
      type: list
      elements: dict
      returned: always
      contains:
        code:
          description: What kind of problem. Codes do not change.
          type: str
          returned: always
          sample: netlink-refused
        message:
          description: What happened.
          type: str
          returned: always
          sample: "tcp_ipv4: EPERM (Operation not permitted); read from /proc/net"
bind:
  description: What C(bind()) said of the ports in O(verify_bind).
  returned: when O(verify_bind) is given
  type: dict
  contains:
    asked:
      description: The ports that were tried, by protocol.
      type: dict
      returned: always
      sample: {"tcp": "22,8080,9000-9010", "udp": "53"}
    bound_are_listed:
      description: >-
        Whether the kernel lists TCP sockets that are bound and do not listen, as Linux 6.8 and later do. Where it does
        not, such a socket looks the same as a hidden listener. V(true) where it does not matter.
      type: bool
      returned: always
      sample: true
    ports:
      description: Ports of which the same is known share an entry. Each port that was asked for is in exactly one.
      type: list
      elements: dict
      returned: always
      contains:
        namespace:
          description: The network namespace, as in RV(listeners[].namespace).
          type: str
          returned: always
          sample: host
        protocol:
          description: V(tcp) or V(udp).
          type: str
          returned: always
          sample: tcp
        ports:
          description: The ports and ranges.
          type: str
          returned: always
          sample: 22,9000-9010
        state:
          description:
            - V(free) when nothing holds the port.
            - V(held_by_listed) when it is held by sockets that the kernel lists, which are a listener, or a connection
              or another socket that does not listen (see RV(bind.ports[].reason)).
            - V(held_by_unlisted) when it is held by something that the kernel does not list.
            - V(unknown) when C(bind()) was refused for another reason, or when the sockets could not be listed.
          type: str
          returned: always
          sample: held_by_listed
        reason:
          description: What makes it so; V(null) for V(free).
          type: str
          returned: always
          sample: a listener
"""

import sys  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402
from ansible_collections.vigil.ports.plugins.module_utils._listeners.observe import (  # noqa: E402
    Host,
    Request,
    observe,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "namespaces": {"type": "str", "choices": ["host", "all"], "default": "host"},
            "owners": {"type": "str", "choices": ["unit", "first", "all"], "default": "all"},
            "packages": {"type": "bool", "default": False},
            "commands": {"type": "str", "choices": ["none", "redacted", "full"], "default": "redacted"},
            "verify_bind": {
                "type": "dict",
                "options": {
                    protocol: {"type": "list", "elements": "str", "default": []} for protocol in ("tcp", "udp")
                },
            },
        },
        supports_check_mode=True,
    )
    if not sys.platform.startswith("linux"):
        module.fail_json(msg=f"vigil.ports.listeners_info needs Linux; this host runs {sys.platform}.")
    options = {name: module.params[name] for name in Request._fields}
    if options["verify_bind"] is not None:
        from ansible_collections.vigil.ports.plugins.module_utils._scan.port_sets import PortError, PortSet

        try:
            options["verify_bind"] = {name: PortSet.parse(ports) for name, ports in options["verify_bind"].items()}
        except PortError as error:
            module.fail_json(msg=f"verify_bind: {error}")
    request = Request(**options)
    module.exit_json(changed=False, **observe(request, Host()))


if __name__ == "__main__":
    main()
