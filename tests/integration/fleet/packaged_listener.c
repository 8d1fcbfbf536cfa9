/* Copyright (c) 2026 vigil.ports maintainers
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A server that comes in a package: listens on PORT, says VERSION, closes.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    static const char banner[] = VERSION "\n";
    int one = 1, made = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};

    signal(SIGPIPE, SIG_IGN);
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(made, (struct sockaddr *)&at, sizeof at) != 0 || listen(made, 16) != 0)
        return 1;
    for (;;) {
        int peer = accept(made, NULL, NULL);
        if (peer < 0 || write(peer, banner, sizeof banner - 1) < 0)
            usleep(1000);
        if (peer >= 0)
            close(peer);
    }
}
