# A local AWS (MiniStack) for tests. Source it, do not run it:
#
#   source tests/emulator.sh
#   start_emulator          # exports AWS_ENDPOINT_URL, a region and dummy credentials
#   cargo test -p fx-aws
#   stop_emulator           # also on exit
#
# TEST_VENV names the Python environment that has `ministack`; it is made there if it is missing.

EMULATOR_VERSION=1.5.33
EMULATOR_WAIT_SECONDS=30

start_emulator() {
    local venv="${TEST_VENV:-${TMPDIR:-/tmp}/fx-test-venv}" port deadline
    if [ -n "${EMULATOR_PID:-}" ]; then
        echo "emulator: already running as process ${EMULATOR_PID}" >&2
        return 1
    fi
    if [ ! -x "${venv}/bin/ministack" ]; then
        python3 -m venv "${venv}" && "${venv}/bin/pip" install --quiet "ministack==${EMULATOR_VERSION}" || return 1
    fi
    # A port that is free now: bound, read and given back.
    port=$("${venv}/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') || return 1
    EMULATOR_FOLDER=$(mktemp -d) || return 1
    # Its default address is 0.0.0.0: nobody else may reach a store without a password.
    (cd "${EMULATOR_FOLDER}" && BIND_HOST=127.0.0.1 GATEWAY_PORT="${port}" AWS_ENDPOINT_URL="http://127.0.0.1:${port}" IOT_MTLS_ENABLED=0 exec "${venv}/bin/ministack" >emulator.log 2>&1) &
    EMULATOR_PID=$!
    trap stop_emulator EXIT
    deadline=$((SECONDS + EMULATOR_WAIT_SECONDS))
    until "${venv}/bin/python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:${port}/_ministack/health', timeout=1)" 2>/dev/null; do
        if ! kill -0 "${EMULATOR_PID}" 2>/dev/null || [ "${SECONDS}" -ge "${deadline}" ]; then
            echo "emulator: not healthy after ${EMULATOR_WAIT_SECONDS} s; its log:" >&2
            cat "${EMULATOR_FOLDER}/emulator.log" >&2
            stop_emulator
            return 1
        fi
        sleep 0.1
    done
    export AWS_ENDPOINT_URL="http://127.0.0.1:${port}"
    export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true
}

stop_emulator() {
    [ -n "${EMULATOR_PID:-}" ] || return 0
    kill "${EMULATOR_PID}" 2>/dev/null
    wait "${EMULATOR_PID}" 2>/dev/null
    rm -rf "${EMULATOR_FOLDER}"
    unset EMULATOR_PID EMULATOR_FOLDER AWS_ENDPOINT_URL
}
