package main

// scripts are what the shells need to ask `assay complete`, which knows the commands. The
// script knows none, and so it never grows old.
var scripts = map[string]string{
	"bash": `# bash completion of assay: source <(assay completion bash)
_assay() {
  local cur=${COMP_WORDS[COMP_CWORD]} line
  # bash splits at = what assay takes as one word
  local -a words=()
  local w
  for w in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ ${#words[@]} -gt 0 && ( $w == "=" || ${words[-1]} == --*= ) ]]; then words[-1]+=$w; else words+=("$w"); fi
  done
  [[ $cur == "=" ]] && cur=
  COMPREPLY=()
  while IFS=$'\t' read -r line _; do
    case $line in
      :files) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur") ;;
      :dirs) compopt -o filenames 2>/dev/null; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$cur") ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <("${COMP_WORDS[0]}" complete -- "${words[@]}" 2>/dev/null)
}
complete -F _assay assay
`,
	"zsh": `#compdef assay
# zsh completion of assay: source <(assay completion zsh), or put it into a folder of $fpath as _assay
_assay() {
  local line
  local -a found
  [[ ${words[CURRENT]} == --*=* ]] && compset -P '*=' # what stands behind the = is completed
  for line in "${(@f)$(${words[1]} complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files ;;
      :dirs) _files -/ ;;
      *) found+=("${${line//:/\\:}/$'\t'/:}") ;;
    esac
  done
  (( ${#found} )) && _describe assay found
}
compdef _assay assay
`,
	"fish": `# fish completion of assay: assay completion fish | source
function __assay_complete
  set -l said (commandline -opc) (commandline -ct)
  # fish takes --flag=value as one word
  set -l flag (string match -r -- '^--[^=]+=' (commandline -ct))
  for line in ($said[1] complete -- $said[2..-1] 2>/dev/null)
    switch $line
      case ':files'
        __fish_complete_path (commandline -ct)
      case ':dirs'
        __fish_complete_directories (commandline -ct)
      case '*'
        echo "$flag$line"
    end
  end
end
complete -c assay -f -a '(__assay_complete)'
`,
}
