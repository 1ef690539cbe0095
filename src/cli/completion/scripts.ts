/** How each shell asks `waybill __complete` what may come next. */
export const scripts = {
  bash: `# Completion for bash: source <(waybill completion bash)
_waybill() {
  local line files=
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :0) files=1 ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(waybill __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [ -n "$files" ]; then compopt -o default 2>/dev/null; fi
}
complete -F _waybill waybill
`,
  zsh: `#compdef waybill
# Completion for zsh: source <(waybill completion zsh)
_waybill() {
  local line files= tab=$'\\t'
  local -a found
  while IFS= read -r line; do
    case "$line" in
      :0) files=1 ;;
      :*) ;;
      *) found+=("\${\${line%%$tab*}//:/\\\\:}\${\${line#\${line%%$tab*}}/$tab/:}") ;;
    esac
  done < <(waybill __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe waybill found; fi
  if [ -n "$files" ]; then _files; fi
}
compdef _waybill waybill
`,
  fish: `# Completion for fish: waybill completion fish | source
function __waybill_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines (waybill __complete $words[2..-1] 2>/dev/null)
  string match -v -- ':*' $lines
  if contains -- ':0' $lines
    __fish_complete_path (commandline -ct)
  end
end
complete -c waybill -f -a '(__waybill_complete)'
`,
} as const

/** The file that kubectl looks for beside a plugin. */
export const forKubectl = `#!/bin/sh
# Save it as kubectl_complete-waybill in a folder of your PATH, and make it executable.
exec kubectl waybill __complete "$@"
`
